"""The pure core: functions of events. No I/O, no clock, no Textual."""
