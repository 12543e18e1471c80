"""Learning: data to features, features to rules, and the certificate that the data determine the program's rules."""
