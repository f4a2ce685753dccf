"""What every operation of the API stands on: the gate, problems, pages, requests that come again."""
