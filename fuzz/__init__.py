"""The hunt for the text, the spec or the file on which we differ from the libraries we copy."""
