"""Gold against predicted documents: scores with intervals, and reports that show each error in its sentence."""
