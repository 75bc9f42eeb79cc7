"""Which objects a list or a watch is about: selectors of labels and of fields, as clients write them."""
