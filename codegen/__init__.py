"""Writes the generated modules of the library from facts and our corrections; not shipped.

``python -m codegen.zeyos_extract`` and its like (``zeyos_database``, ``octaved_extract``, ``ox_extract``) read a vendor's documents and keep
the facts in ``specs/``. ``overlays/`` corrects them, each time with a reason. ``python -m codegen`` renders both into
``_generated/``, and ``--check`` says whether what is committed is what would be rendered.
"""
