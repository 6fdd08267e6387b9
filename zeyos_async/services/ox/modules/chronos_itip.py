"""``chronos/itip``: invitations and answers that came by mail."""

from __future__ import annotations

from ....errors import InvalidArgument
from .._generated.chronos_itip import ChronosItip as GeneratedChronosItip
from .._generated.records_chronos import ConversionDataSource
from .._generated.records_mail import MailData

__all__ = ["ChronosItip"]


class ChronosItip(GeneratedChronosItip):
    """``chronos/itip``: its operations, all of which begin with ``part``: where in a mail the invitation is."""

    def part(
        self,
        mail: MailData | None = None,
        /,
        *,
        attachment: str,
        folder: str | None = None,
        id: str | None = None,
    ) -> ConversionDataSource:
        """Name the place of an invitation: ``await ox.chronos.itip.accept(ox.chronos.itip.part(mail, attachment="2"))``.

        Args:
            mail: The mail.
            attachment: The ID of its part of type ``text/calendar``.
            folder: The mail's folder, where there is no ``mail``.
            id: The mail's ID, where there is no ``mail``.

        Raises:
            InvalidArgument: The mail's folder or ID is not known.
        """
        folder = folder if mail is None else mail.folder_id or folder
        id = id if mail is None else mail.id or id
        if not folder or not id:
            raise InvalidArgument("an invitation is in a mail: give the mail, or its folder= and id=")
        return ConversionDataSource(
            com_openexchange_mail_conversion_fullname=folder,
            com_openexchange_mail_conversion_mailid=id,
            com_openexchange_mail_conversion_sequenceid=attachment,
        )
