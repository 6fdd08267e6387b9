"""Bodies that are sent as they are read: files and streams, alone or as parts of a form.

::

    form = Multipart([("json", '{"folder_id": "25"}'), ("file", Upload(Path("report.pdf")))])
    Request(method="POST", url=url, headers={"Content-Type": form.content_type}, body=form)

Nothing is read before it is sent, and no more than a piece at a time is held. Files are read in a
thread. A body is measured first, so that the server is told its length; one that can't be measured is
sent in chunks.
"""

from __future__ import annotations

from .multipart import Form, Multipart
from .sources import UploadSource
from .upload import Progress, Upload

__all__ = ["Form", "Multipart", "Progress", "Upload", "UploadSource"]
