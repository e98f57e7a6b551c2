"""What turns the repository into packages, and what goes with them."""
