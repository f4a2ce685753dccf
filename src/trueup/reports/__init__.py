"""What is read out of the ledger: the conversion log, reports, histories."""
