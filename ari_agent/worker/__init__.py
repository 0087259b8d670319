"""Native engines in processes of their own: started, watched, fed and restarted."""
