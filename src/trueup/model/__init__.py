"""The words: enums, the batch's columns, money, ids and policies. They import nothing else of ours."""
