"""Mail on a developer's machine: a sink that keeps what is sent, and pages at /mailbox/ that show it."""
