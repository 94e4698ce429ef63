"""Laws: what a mixture, a size or a repetition of data is worth."""
