"""What homeostat tells about itself: metrics and logs. Users read status and events; these are for those who run it."""
