"""Programs of the developers: they make, train and try what the package ships."""
