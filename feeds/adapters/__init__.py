"""Foreign inputs, one file each: pure functions from what another system sends to our events, not yet checked."""
