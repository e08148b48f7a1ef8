"""The command line: one module a subject, each adding its commands to the parser."""
