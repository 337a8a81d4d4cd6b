"""What processes of ours write: files in memory that outlive them."""
