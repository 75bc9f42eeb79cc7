"""What clients can do with objects, one file for each way: read, watch, write, patch, delete."""
