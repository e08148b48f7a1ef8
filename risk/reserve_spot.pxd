# Whatever is annotated as an order is read as one.
from matching.types cimport Order
