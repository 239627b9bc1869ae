"""Taking accounts out of an installation and into another: as a file, or straight from a Crossbar API."""
