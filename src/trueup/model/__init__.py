"""The words: enums, the batch's columns, money, ids and policies. Everything else imports these; they import nothing of ours."""
