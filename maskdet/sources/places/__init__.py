"""Where sources are: folders and patterns, lists of names, web addresses, cameras and streams."""
