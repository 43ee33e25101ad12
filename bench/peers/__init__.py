"""What Dateline is measured against: programs that people run, and the limit of the machine."""
