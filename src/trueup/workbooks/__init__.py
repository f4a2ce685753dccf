"""Files that are not plain text, in and out: workbooks, and archives of one file."""
