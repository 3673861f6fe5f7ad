-- grain: one row per event that counts against a unit or for it
-- rule: points: k × count of the clause in force, below 0 what is taken (a
--   row's floor and the caps may take less in sum); a veto has its cap instead
-- build: month
with event as (
    select
        event.source,
        event.event_id,
        event.grid_id,
        event.day,
        event.site,
        event.count,
        event.severity,
        event.reason,
        event.evidence,
        event.file,
        event.sheet,
        event.row_no,
        rubric.indicator,
        rubric.rule,
        step.points
    from core.month_event as event
    inner join seed.rubric as rubric
        on rubric.rule in ('deduct', 'line_deduct', 'bonus', 'veto')
        and rubric.fact = 'event'
        and rubric.valid_from <= $month
        and (rubric.valid_to is null or rubric.valid_to >= $month)
        -- A clause that only an event's severity tells apart bears the same id
        -- with a letter: aj7v is the veto of aj7.
        and rubric.indicator in (event.indicator, event.indicator || 'v')
    inner join seed.rubric_step as step
        on rubric.indicator = step.indicator
        and rubric.valid_from = step.valid_from
        and coalesce(step.part, '') in ('', event.severity)
    where event.month = $month
)

select
    $month as month,
    event.indicator,
    event.source,
    event.event_id as record,
    event.grid_id,
    event.site,
    event.day,
    event.severity as against,
    event.count as weight,
    case event.rule
        when 'veto' then null
        when 'bonus' then event.points * event.count
        else -event.points * event.count
    end::bigint as points,
    case when event.rule = 'veto' then event.points end::bigint as cap,
    event.reason,
    event.evidence,
    event.file,
    event.sheet,
    event.row_no
from event
order by event.indicator, event.source, event.event_id
