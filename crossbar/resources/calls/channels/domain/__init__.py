"""Domain logic of this subject, without HTTP."""
