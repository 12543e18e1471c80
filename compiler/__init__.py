"""The compiler: programs into rules, rules into heads, runs into data, data into rules, rules into programs."""
