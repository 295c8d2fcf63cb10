"""One module for each question. A question is put to an instance and gives figures by name, None for what was not measured."""
