"""The database and the files; rows never leave this folder."""
