"""The fast-weight family: linear Transformers as recurrent networks whose weights are written while they run."""
