"""Card builders: one per message of the sheet; neutral, each channel renders them."""
