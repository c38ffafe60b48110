"""History from files: activity and suppliers, taken in silently."""
