"""The brief's lines, shown one by one through real parts."""
