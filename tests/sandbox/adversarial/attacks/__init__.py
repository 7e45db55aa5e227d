"""Attacks by what they are aimed at; the package ships them under a name of its own."""
