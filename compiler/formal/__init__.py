"""The formal languages on which the fast-weight family is measured, and the training of its layers on them."""
