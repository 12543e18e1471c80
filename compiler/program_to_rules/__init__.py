"""Programs to rules: one construction a file; its docstring is its proof."""
