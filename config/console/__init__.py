"""The console success managers live in: pages over everything the apps know. What shows one kind of row plainly is in that app's `admin/`."""
