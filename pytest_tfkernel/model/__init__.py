"""The words of the project as plain data: frozen dataclasses and enums, standard library only."""
