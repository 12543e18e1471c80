"""Forms in which layers of the fast-weight family are computed, each equal to the loop `layer.run`.

Float16 layers are computed in float32 and rounded at the end; all others in their own dtype.
"""
