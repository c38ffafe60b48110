"""`make chaos`: workers are killed and frozen while there is work, Valkey is flushed, PostgreSQL is stopped at once; then it is counted what was lost or doubled.

An app of its own, only in its own database: a kind of due rows that crosses the network, subscribers, and a table that says what they were told.
"""
