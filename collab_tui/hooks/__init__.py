"""What connects us with the agents' own programs: their payloads become events, our decisions become their answers."""
