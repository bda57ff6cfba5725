"""The master's parts, one module per area: each makes its services and names the loops behind them.

An area is a frozen dataclass with `loops`, and one function that makes it from the ground and the areas it
stands on. A new one is a module here, a line in `wiring.build_deps` and a field of `Services`.
"""
