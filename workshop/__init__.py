"""What a host takes along: slides, and a bundle that needs no network."""
