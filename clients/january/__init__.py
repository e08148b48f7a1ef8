"""January 2022 on the wire: four traders live through a recorded month, and what became of them."""
