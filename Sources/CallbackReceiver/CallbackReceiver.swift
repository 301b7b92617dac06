// Placeholder of the first commit: the room is furnished in the next ones.
