"""An imitation of WedSync at /playground/: what a supplier would see and do, through the real API, and beside it what the system makes of it."""
