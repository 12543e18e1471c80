"""The verifier: what it means that a model is a program, decided with exact arithmetic from outside the compiler."""
