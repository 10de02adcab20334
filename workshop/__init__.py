"""What an instructor takes along: slides, and a bundle that needs no network."""
