"""What serves: the one writer of a process, its spool, the processes, metrics, log and health."""
