"""Programs that try what they must not do, run in a level of isolation to see that it holds them."""
