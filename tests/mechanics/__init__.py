"""The worked examples of docs/mechanics, as the engine works them."""
