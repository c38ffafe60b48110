"""How the admin's own pages write dates and times, where Django's own way differs from the console's."""
